// The methods of ringback.v1 that the pages use, answered from the memory of desk_fixture.mjs: as much of the rules as the
// pages can see.
const SLOT_MS = 15 * 60000;

export class Refusal extends Error {
  constructor(status, code, message, field = "", reason = "") {
    super(message);
    Object.assign(this, { status, code, field, reason });
  }
}

export const withoutBytes = ({ bytes, ...rest }) => rest;

// Typed and spoken time, and the team's hours, as far as the tests say them; in the server's words.
function warningsOf({ promisedTime, spokenText }) {
  const [day, clock] = new Date(promisedTime).toLocaleString("sv", { timeZone: "Europe/Berlin" }).slice(0, 16).split(" ");
  const outside = /0|6/.test(new Date(day).getUTCDay()) || clock < "08:00" || clock >= "18:00";
  const said = /(\d{1,2})(?::(\d\d))? ?Uhr/.exec(spokenText ?? "");
  const spoken = said && `${said[1].padStart(2, "0")}:${said[2] ?? "00"}`;
  return [
    ...(outside ? [`${day} ${clock} is outside the team's hours`] : []),
    ...(spoken && spoken !== clock ? [`spoken text says ${spoken}, the promise is for ${clock}`] : []),
  ];
}

// The methods that the pages use, by name; `this` is the fixture.
export const METHODS = {
  listCallbacks({ pageSize = 50, pageToken, closed, contactId, assigneeId, overdueOnly, unassignedOnly }) {
    const all = [...this.callbacks.values()].filter((c) => this.visible(c) && (contactId || !!closed === (c.phase === "PHASE_CLOSED")) &&
      (!contactId || c.contactId === contactId) && (!assigneeId || c.assigneeId === assigneeId) && (!overdueOnly || c.overdue) &&
      (!unassignedOnly || !c.assigneeId));
    // All of them are written alike, so that their letters have the order of their times.
    all.sort((a, b) => (a.dueTime < b.dueTime ? -1 : 1));
    const from = Number(pageToken || 0);
    const next = from + Math.min(pageSize || 50, 500);
    return { callbacks: all.slice(from, next), nextPageToken: next < all.length ? String(next) : "", revision: String(this.revision) };
  },
  getCallback({ id }) {
    return { callback: this.one(id) };
  },
  getTeam() {
    return { team: this.team };
  },
  getPolicy() {
    return { policy: this.team.policy };
  },
  listSlots({ callbackId, count = 12, earliestTime }) {
    this.one(callbackId);
    const taken = new Set([...this.callbacks.values()].filter((c) => c.assigneeId === this.me.id && c.phase === "PHASE_PROMISED").map((c) => +new Date(c.dueTime)));
    const slots = [];
    const earliest = Math.max(this.now() + 30 * 60000, earliestTime ? Date.parse(earliestTime) : 0);
    for (let at = Math.ceil(earliest / SLOT_MS) * SLOT_MS; slots.length < count; at += SLOT_MS) {
      const [weekday, hour] = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", weekday: "short", hour: "2-digit", hourCycle: "h23" })
        .formatToParts(new Date(at)).filter((p) => p.type !== "literal").map((p) => p.value);
      if (/Sat|Sun/.test(weekday) || Number(hour) < 8 || Number(hour) >= 17) continue;
      if (![...taken].some((t) => Math.abs(t - at) < SLOT_MS)) slots.push(new Date(at).toISOString());
    }
    return { slots };
  },
  makePromise(body) {
    const callback = this.one(body.callbackId);
    if (Date.parse(body.promisedTime) <= this.now()) throw new Refusal(400, "INVALID_ARGUMENT", "promised_time is in the past", "promised_time");
    if (body.channel === "PROMISE_CHANNEL_SMS" && this.noSms) {
      throw new Refusal(400, "INVALID_ARGUMENT", "channel: no SMS gateway is configured", "channel", "NO_SMS_GATEWAY");
    }
    const warnings = warningsOf(body);
    if (body.validateOnly) return { callback, warnings };
    const { promisedTime, channel = "PROMISE_CHANNEL_VOICE_MAIL", recordingId, spokenText } = body;
    return { callback: this.promise(callback, { promisedTime, channel, recordingId, spokenText }), warnings };
  },
  logAttempt({ callbackId, outcome, note, calledTime }) {
    const callback = this.one(callbackId);
    const now = new Date(this.now()).toISOString();
    const reached = outcome === "ATTEMPT_OUTCOME_REACHED";
    return { callback: this.commit({
      ...callback, phase: reached ? "PHASE_TALKED" : "PHASE_FOLLOW_UP", overdue: false, dueTime: reached ? undefined : new Date(this.now() + 30 * 60000).toISOString(),
      promises: (callback.promises ?? []).map((p) => (p.state === "STATE_ARMED" ? { ...p, state: "STATE_SETTLED", verdict: "VERDICT_KEPT" } : p)),
      attempts: [...(callback.attempts ?? []), { outcome, note, calledTime: calledTime ?? now, createTime: now, author: this.me.id }],
    }, "attempt", this.me.id) };
  },
  startCall({ callbackId }) {
    return { callback: this.commit(this.one(callbackId), "calling", this.me.id) };
  },
  completeCallback({ callbackId, disposition }) {
    return { callback: this.commit({ ...this.one(callbackId), phase: "PHASE_CLOSED", closing: "CLOSING_COMPLETED", disposition, closeTime: new Date(this.now()).toISOString(), overdue: false }, "completed", this.me.id) };
  },
  cancelCallback({ callbackId, reason }) {
    return { callback: this.commit({ ...this.one(callbackId), phase: "PHASE_CLOSED", closing: "CLOSING_CANCELLED", closeReason: reason, closeTime: new Date(this.now()).toISOString(), overdue: false }, "cancelled", this.me.id) };
  },
  assignCallback({ callbackId, memberId, nobody }) {
    if (nobody) {
      const { assigneeId, assigneeName, ...callback } = this.one(callbackId);
      if (callback.phase === "PHASE_PROMISED") throw new Refusal(409, "FAILED_PRECONDITION", "a promise runs", "callback", "PROMISE_RUNNING");
      return { callback: this.commit(callback, "assigned", this.me.id, { from: assigneeId }) };
    }
    const { name } = this.team.members.find((m) => m.id === memberId);
    return { callback: this.commit({ ...this.one(callbackId), assigneeId: memberId, assigneeName: name }, "assigned", this.me.id) };
  },
  answerProposal({ callbackId, promisedTime }) {
    const callback = this.one(callbackId);
    if (!callback.proposal) throw new Refusal(409, "FAILED_PRECONDITION", "no wish is open");
    return { callback: this.promise(callback, { promisedTime: promisedTime ?? callback.proposal.promisedTime, channel: "PROMISE_CHANNEL_VOICE_MAIL" }) };
  },
  declineProposal({ callbackId }) {
    const { proposal, ...rest } = this.one(callbackId);
    if (!proposal) throw new Refusal(409, "FAILED_PRECONDITION", "no wish is open");
    return { callback: this.commit(rest, "proposal_declined", this.me.id) };
  },
  updateCaller({ callbackId, caller }) {
    const callback = this.one(callbackId);
    return { callback: this.commit({ ...callback, caller: { ...callback.caller, ...caller } }, "caller_updated", this.me.id) };
  },
  acknowledgeCallback({ callbackId }) {
    const callback = this.one(callbackId);
    const acknowledgedUntil = new Date(this.now() + 30 * 60000).toISOString();
    return { callback: this.commit({ ...callback, escalation: { ...callback.escalation, acknowledgedUntil, acknowledgedBy: this.me.id } }, "acknowledged", this.me.id) };
  },
  snoozeCallback({ callbackId }) {
    return { callback: this.commit(this.one(callbackId), "snoozed", this.me.id) };
  },
  listHistory({ callbackId }) {
    const callback = this.one(callbackId);
    const events = this.changes.filter((c) => c.callback.id === callbackId).map((c) => c.event);
    return { events: [{ number: 1, eventTime: callback.createTime, author: "system", what: "requested" }, ...events] };
  },
  listDeliveries() {
    return { deliveries: [] };
  },
  listAnswers({ callbackId }) {
    this.one(callbackId);
    return { answers: this.tied.filter((answer) => answer.callbackId === callbackId) };
  },
  resendDelivery() {
    return { delivery: { id: "dl0700000000000001", state: "STATE_QUEUED" } };
  },
  getRecording({ id }) {
    const found = [...this.recordings.values()].find((r) => r.id === id);
    if (!found) throw new Refusal(404, "NOT_FOUND", id);
    return { recording: withoutBytes(found) };
  },
  getContact({ who }) {
    throw new Refusal(404, "NOT_FOUND", who);
  },
};
