// Numbers as they are read. The server knows the national form (libphonenumber); without it the digits stand in groups.
import type { CallerJson } from "../../protocol/ringback/v1/callback_pb";

export function phoneOf(caller: (CallerJson & { phoneNational?: string }) | undefined): string {
  if (!caller?.phone) return "";
  if (caller.phoneNational) return caller.phoneNational;
  return caller.phone.replace(/^(\+\d{2})(\d{2,3})(\d{3,})$/, "$1 $2 $3");
}
export const telephoneLink = (phone: string): string => "tel:" + phone.replace(/[^+\d]/g, "");
// Who it is, in one line.
export const nameOf = (caller: CallerJson | undefined): string => caller?.name || caller?.company || phoneOf(caller) || caller?.email || "…";
