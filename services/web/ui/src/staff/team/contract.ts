// Methods that not every server has yet, typed by hand until the protos of all have them.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import type { ChannelJson, PolicyJson } from "../../protocol/ringback/v1/team_service_pb";
import { callUntyped } from "../shell/api";

interface Methods {
  startCall: [{ requestId: string; callbackId: string }, { callback?: CallbackJson }];
  handOverMember: [HandOver, { handedOver?: HandedOver[]; more?: boolean }];
  previewPolicy: [{ policy?: PolicyJson; promisedTime?: string; assigneeId?: string }, { lines?: PreviewLine[] }];
  getReport: [{ fromWeek?: string; toWeek?: string; byMember?: boolean }, { weeks?: ReportWeek[] }];
  testWebhook: [{ memberId: string; url: string; secret?: string; format?: ChannelJson["format"] }, { accepted?: boolean; answer?: string }];
  readHolidays: [{ ics: string }, { holidays?: Holiday[] }];
}
export interface HandOver {
  requestId: string;
  memberId: string;
  toMemberIds: string[];
  awayUntil?: string;
  callbackIds?: string[];
}
export interface HandedOver {
  callbackId?: string;
  memberId?: string;
}
export interface PreviewLine {
  fireTime?: string;
  // 0: a reminder.
  step?: number;
  // 1 the first time, 2 and on for repeats.
  round?: number;
  memberIds?: string[];
  daily?: boolean;
}
// Whole numbers come as texts.
export interface ReportWeek {
  week?: string;
  memberId?: string;
  kept?: string;
  late?: string;
  missed?: string;
  movedByCustomer?: string;
  movedByTeam?: string;
  cancelledByCustomer?: string;
  attempted?: string;
  reached?: string;
  requested?: string;
  latenessMedian?: string;
  firstPromiseMedian?: string;
}
export interface Holiday {
  date?: string;
  name?: string;
}

export async function ask<M extends keyof Methods>(method: M, request: Methods[M][0]): Promise<Methods[M][1]> {
  const service = method === "startCall" ? "CallbackService" : method === "testWebhook" ? "DeliveryService" : "TeamService";
  return (await callUntyped(service, `${method[0].toUpperCase()}${method.slice(1)}`, request)) as Methods[M][1];
}
