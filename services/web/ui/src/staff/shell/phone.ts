// Numbers as they are read. The server knows the national form (libphonenumber).
import type { CallerJson } from "../../protocol/ringback/v1/callback_pb";

export const phoneOf = (caller: CallerJson | undefined): string => caller?.phoneNational || caller?.phone || "";
export const telephoneLink = (phone: string): string => "tel:" + phone.replace(/[^+\d]/g, "");
// Who it is, in one line.
export const nameOf = (caller: CallerJson | undefined): string => caller?.name || caller?.company || phoneOf(caller) || caller?.email || "…";
// The number beside that line, unless it is that line.
export const phoneBeside = (caller: CallerJson | undefined): string => (phoneOf(caller) === nameOf(caller) ? "" : phoneOf(caller));
