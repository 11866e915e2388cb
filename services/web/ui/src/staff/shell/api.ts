// ringback's gRPC language as JSON, typed by its protos: every unary method, in the name of the member who is signed in.
// Live changes: live.ts. Recordings' bytes: desk/outbox.ts.
import type { MessageJsonType } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { AnswerService } from "../../protocol/ringback/v1/answer_service_pb";
import type { CallbackService } from "../../protocol/ringback/v1/callback_service_pb";
import type { ContactService } from "../../protocol/ringback/v1/contact_service_pb";
import type { DeliveryService } from "../../protocol/ringback/v1/delivery_service_pb";
import type { RecordingService } from "../../protocol/ringback/v1/recording_service_pb";
import type { ReminderService } from "../../protocol/ringback/v1/reminder_service_pb";
import type { MemberJson, TeamService } from "../../protocol/ringback/v1/team_service_pb";

interface Services {
  AnswerService: typeof AnswerService;
  CallbackService: typeof CallbackService;
  ContactService: typeof ContactService;
  DeliveryService: typeof DeliveryService;
  RecordingService: typeof RecordingService;
  ReminderService: typeof ReminderService;
  TeamService: typeof TeamService;
}
type Methods<S extends keyof Services> = Services[S]["method"];
type Json<T> = T extends GenMessage<infer M, infer O> ? MessageJsonType<GenMessage<M, O>> : never;
type Input<S extends keyof Services, M extends keyof Methods<S>> = Methods<S>[M] extends { input: infer I } ? Json<I> : never;
type Output<S extends keyof Services, M extends keyof Methods<S>> = Methods<S>[M] extends { output: infer O } ? Json<O> : never;

export interface Me {
  member: MemberJson;
  team: { id: string; name: string; language?: string; timeZone?: string };
  formToken: string;
  now: string;
  pagesUrl?: string;
}

export type ErrorCode =
  | "INVALID_ARGUMENT" | "UNAUTHENTICATED" | "PERMISSION_DENIED" | "NOT_FOUND" | "FAILED_PRECONDITION" | "ABORTED"
  | "ALREADY_EXISTS" | "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL"
  | "OFFLINE";  // Nobody answered at all.

export class ApiError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly field = "",
    readonly reason = "",
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }

  // Nothing is wrong with what was asked: the same again may go well.
  get passing(): boolean {
    return ["OFFLINE", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"].includes(this.code);
  }
}

let token = "";
let onSignedOut = (): void => {};
export const whenSignedOut = (then: () => void): void => void (onSignedOut = then);
export const formToken = (): string => token;
export const formHeaders = (): Record<string, string> => ({ "X-Ringback-Form": token });

// The same id again gets the first answer: whoever repeats keeps it.
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function fetchMe(): Promise<Me> {
  const me = (await ask("/api/v1/me", {})) as Me;
  token = me.formToken;
  return me;
}

// call("CallbackService", "listCallbacks", { pageSize: 500 })
export async function call<S extends keyof Services, M extends keyof Methods<S> & string>(
  service: S,
  method: M,
  request: Input<S, M>,
): Promise<Output<S, M>> {
  const path = `/api/v1/${service}/${method[0].toUpperCase()}${method.slice(1)}`;
  return (await withForm(() => ask(path, {
    method: "POST", headers: { "Content-Type": "application/json", ...formHeaders() }, body: JSON.stringify(request),
  }))) as Output<S, M>;
}

// Signed in anew in another tab, the session has another word for forms: asked for, and once more.
export async function withForm<T>(work: () => Promise<T>): Promise<T> {
  const before = token;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "PERMISSION_DENIED") throw error;
    await fetchMe();
    if (token === before) throw error;
    return work();
  }
}

// For what is sent by other means: the error that an answer is, or none.
export function errorOf(status: number, body: string): ApiError | null {
  if (status >= 200 && status < 300) return null;
  let said: { code?: ErrorCode; message?: string; field?: string; reason?: string; retryAfterMs?: number } = {};
  try {
    said = JSON.parse(body);
  } catch {
    // A proxy's own page.
  }
  const error = new ApiError(said.code ?? CODES[status] ?? "INTERNAL", said.message ?? "", said.field, said.reason, said.retryAfterMs);
  if (error.code === "UNAUTHENTICATED") onSignedOut();
  return error;
}

const CODES: Record<number, ErrorCode> = {
  400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "FAILED_PRECONDITION",
  429: "RESOURCE_EXHAUSTED", 501: "UNIMPLEMENTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
};

async function ask(path: string, init: RequestInit): Promise<unknown> {
  let answer: Response;
  let body: string;
  try {
    answer = await fetch(path, { cache: "no-store", credentials: "same-origin", ...init });
    body = await answer.text();
  } catch {
    throw new ApiError("OFFLINE", "");
  }
  const error = errorOf(answer.status, body);
  if (error) throw error;
  return body ? JSON.parse(body) : {};
}
