// The methods of ringback.v1 that managers and admins use, answered from the memory of desk_fixture.mjs.
import { Refusal } from "./desk_methods.mjs";
import { weeks } from "./team_data.mjs";

const NEAR_MS = 60 * 60000;

function take(list, id) {
  const at = list.findIndex((one) => one.id === id);
  if (at < 0) throw new Refusal(404, "NOT_FOUND", id);
  return list.splice(at, 1)[0];
}
function page(list, { pageSize, pageToken }) {
  const from = Number(pageToken || 0);
  const next = from + Math.min(pageSize || 50, 500);
  return [list.slice(from, next), next < list.length ? String(next) : ""];
}
function needs(fixture, ...roles) {
  if (!roles.includes(fixture.me.role)) throw new Refusal(403, "PERMISSION_DENIED", "role");
}
const timeOf = (c) => (c.phase === "PHASE_TALKED" ? -Infinity : Date.parse(c.dueTime));
const managers = (fixture) => needs(fixture, "ROLE_MANAGER", "ROLE_ADMIN");
const admins = (fixture) => needs(fixture, "ROLE_ADMIN");
// What a mask names, also to empty it; without one what has a value.
function masked(old, changed, mask) {
  const result = { ...old };
  const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  for (const name of mask ? mask.split(",").map(camel) : Object.keys(changed)) {
    if (changed[name] === undefined) delete result[name];
    else result[name] = changed[name];
  }
  return result;
}
const checkName = (name, field) => {
  if (!name) throw new Refusal(400, "INVALID_ARGUMENT", "the name as the customer reads it", field, "MISSING");
};

export const METHODS = {
  createCallback({ caller, note, assigneeId, validateOnly }) {
    if (!caller.name && !caller.phone && !caller.email) throw new Refusal(400, "INVALID_ARGUMENT", "a name, a phone number or a mail address", "caller", "CALLER_EMPTY");
    if (caller.phone && !/^[+0][\d /()-]{5,}$/.test(caller.phone)) throw new Refusal(400, "INVALID_ARGUMENT", `"${caller.phone}" is no phone number`, "caller.phone", "NOT_A_PHONE_NUMBER");
    if (caller.email && !/^[^@\s]+@[^@\s]+$/.test(caller.email)) throw new Refusal(400, "INVALID_ARGUMENT", `"${caller.email}" is no mail address`, "caller.email", "NOT_AN_EMAIL_ADDRESS");
    const phone = caller.phone?.replace(/[^+\d]/g, "").replace(/^0(?!0)/, "+49");
    const open = phone && [...this.callbacks.values()].find((c) => c.caller.phone === phone && c.phase !== "PHASE_CLOSED");
    if (validateOnly) return { callback: { ...open, caller: { ...open?.caller, ...caller, ...(phone && { phone }) } }, ...(open && { rangAgain: true }) };
    if (open) return { callback: this.commit({ ...open, rings: (open.rings ?? 1) + 1 }, "rang_again", this.me.id), rangAgain: true };
    const member = this.team.members.find((m) => m.id === assigneeId);
    return { callback: this.ring({ ...caller, ...(phone && { phone }) }, { note, ...(member && { assigneeId, assigneeName: member.name }) }) };
  },
  handOverMember({ memberId, toMemberIds = [], awayUntil, callbackIds }) {
    managers(this);
    const member = this.team.members.find((m) => m.id === memberId);
    const to = toMemberIds.length ? toMemberIds : [member.substituteId];
    const open = [...this.callbacks.values()].filter((c) => c.phase !== "PHASE_CLOSED");
    const planned = new Map(to.map((id) => [id, open.filter((c) => c.assigneeId === id).map(timeOf)]));
    const moving = open.filter((c) => c.assigneeId === memberId && (!callbackIds?.length || callbackIds.includes(c.id))).sort((a, b) => timeOf(a) - timeOf(b));
    const handedOver = moving.slice(0, 500).map((c) => {
      // What only has to be closed is at no time.
      const near = (id) => timeOf(c) === -Infinity ? 0 : planned.get(id).filter((at) => Math.abs(at - timeOf(c)) <= NEAR_MS).length;
      const chosen = [...to].sort((a, b) => near(a) - near(b) || planned.get(a).length - planned.get(b).length)[0];
      planned.get(chosen).push(timeOf(c));
      this.commit({ ...c, assigneeId: chosen, assigneeName: this.team.members.find((m) => m.id === chosen).name }, "assigned", this.me.id);
      return { callbackId: c.id, memberId: chosen };
    });
    if (awayUntil) member.absences = [...(member.absences ?? []), { startTime: new Date(this.now()).toISOString(), endTime: awayUntil }];
    return { handedOver, more: moving.length > 500 };
  },
  setAbsence({ memberId, absences }) {
    if (memberId !== this.me.id) managers(this);
    const member = this.team.members.find((m) => m.id === memberId);
    for (const [i, a] of (absences ?? []).entries()) {
      if (!(a.startTime < a.endTime)) throw new Refusal(400, "INVALID_ARGUMENT", "a start before an end", `absences[${i}]`, "NOT_IN_ORDER");
    }
    member.absences = absences;
    return { member };
  },
  listUnmatched(asked) {
    const [answers, nextPageToken] = page(this.unmatched, asked);
    return { answers, nextPageToken };
  },
  tieAnswer({ answerId, callbackId, unmatched }) {
    const to = unmatched ? null : this.one(callbackId);
    const before = this.tied.find((one) => one.id === answerId);
    if (before && before.match !== "MATCH_BY_HAND") throw new Refusal(409, "FAILED_PRECONDITION", "it stays", "answer_id", "ANSWER_TIED");
    const { callbackId: from, match, matchedBy, ...loose } = take(before ? this.tied : this.unmatched, answerId);
    if (from) {
      const { brief, ...callback } = this.one(from);
      this.commit({ ...callback, ...(brief?.text !== loose.text && { brief }) }, "answer_moved", this.me.id);
    }
    if (!to) {
      this.unmatched.push(loose);
      return { answer: loose };
    }
    const callback = this.one(callbackId);
    const answer = { ...loose, callbackId, match: "MATCH_BY_HAND", matchedBy: this.me.id };
    this.commit({ ...callback, brief: { text: answer.text, createTime: answer.createTime } }, "brief_received", "customer");
    this.tied.push(answer);
    return { answer };
  },
  dropAnswer({ answerId }) {
    return { answer: take(this.unmatched, answerId) };
  },
  listDeadLetters(asked) {
    managers(this);
    const [deadLetters, nextPageToken] = page(this.deadLetters, asked);
    return { deadLetters, nextPageToken };
  },
  retryDeadLetter({ id }) {
    return { deadLetter: take(this.deadLetters, id) };
  },
  dropDeadLetter({ id }) {
    return { deadLetter: take(this.deadLetters, id) };
  },
  getReport({ fromWeek, toWeek, byMember }) {
    const rep = this.me.role === "ROLE_REP";
    if (byMember && !rep && !this.team.memberFigures) throw new Refusal(409, "FAILED_PRECONDITION", "member_figures is off", "", "MEMBER_FIGURES_OFF");
    const all = this.noReport ? [] : weeks(53, rep || byMember).filter((w) => !rep || w.memberId === this.me.id);
    const last = [...new Set(all.map((w) => w.week))].slice(-12);
    if (byMember && !rep) all.push(...weeks(53, false));
    return { weeks: all.filter((w) => (fromWeek ? w.week >= fromWeek : last.includes(w.week)) && (!toWeek || w.week <= toWeek)) };
  },
  // As much of the policy as the pages can see: the steps, the rounds, then a daily line.
  previewPolicy({ policy = this.team.policy, promisedTime, assigneeId }) {
    managers(this);
    const due = promisedTime ? Date.parse(promisedTime) : this.now() + 3600000;
    const seconds = (text) => Number(String(text ?? "0").replace("s", ""));
    const lines = [{ fireTime: new Date(due - seconds(policy.reminderLead) * 1000).toISOString(), step: 0, memberIds: [assigneeId ?? this.team.members[0].id] }];
    const of = (step) => [...new Set((step.recipients ?? []).flatMap((r) => r.kind === "KIND_ASSIGNEE" ? [assigneeId ?? this.team.members[0].id]
      : r.kind === "KIND_MEMBER" ? [r.memberId] : this.team.members.filter((m) => m.role === (r.kind === "KIND_ADMINS" ? "ROLE_ADMIN" : "ROLE_MANAGER")).map((m) => m.id)))];
    const steps = policy.steps ?? [];
    for (const [i, step] of steps.entries()) {
      if (i && seconds(step.delay) < seconds(steps[i - 1].delay)) throw new Refusal(400, "INVALID_ARGUMENT", `not before the step above, which comes after ${seconds(steps[i - 1].delay) / 60}m`, `policy.steps[${i}].delay`, "NOT_IN_ORDER");
      lines.push({ fireTime: new Date(due + seconds(step.delay) * 1000).toISOString(), step: i + 1, round: 1, memberIds: of(step) });
    }
    let at = due + seconds(steps.at(-1)?.delay) * 1000;
    for (let round = 1; round <= (policy.repeatCount ?? 0); ++round) {
      at += seconds(policy.repeatInterval) * 1000;
      lines.push({ fireTime: new Date(at).toISOString(), step: steps.length, round: round + 1, memberIds: of(steps.at(-1) ?? {}) });
    }
    lines.push({ fireTime: new Date(at + 24 * 3600000).toISOString(), step: steps.length, memberIds: of(steps.at(-1) ?? {}), daily: true });
    return { lines: lines.slice(0, 60) };
  },
  testWebhook({ url }) {
    admins(this);
    return url.includes("kaputt") ? { accepted: false, answer: "500 Internal Server Error" } : { accepted: true, answer: "200 OK" };
  },
  readHolidays({ ics }) {
    admins(this);
    const text = Buffer.from(ics, "base64").toString();
    if (!text.includes("BEGIN:VCALENDAR")) throw new Refusal(400, "INVALID_ARGUMENT", "this is no calendar file", "ics", "NOT_A_CALENDAR");
    return { holidays: [...text.matchAll(/DTSTART;VALUE=DATE:(\d{4})(\d\d)(\d\d)[\s\S]*?SUMMARY:(.*)/g)].map(([, y, m, d, name]) => ({ date: `${y}-${m}-${d}`, name: name.trim() })) };
  },
  updateTeam({ team: changed, updateMask }) {
    admins(this);
    if (changed.retentionDays !== undefined && !(changed.retentionDays >= 1 && changed.retentionDays <= 3650)) {
      throw new Refusal(400, "INVALID_ARGUMENT", "1 to 3650 days after closing", "team.retention_days", "OUT_OF_RANGE");
    }
    for (const [name, text] of Object.entries(changed.templates ?? {})) {
      if (/\{\{[^}]*$/.test(text)) throw new Refusal(400, "INVALID_ARGUMENT", "a tag is not closed", `team.templates[${name}]`, "TEMPLATE_INVALID");
    }
    const switched = ["memberFigures", "playOthersTakes", "reportListened"].filter((name) => changed[name] !== undefined && !!changed[name] !== !!this.team[name]);
    const templates = Object.entries({ ...this.team.templates, ...changed.templates }).filter(([, text]) => text);
    this.team = { ...masked(this.team, changed, updateMask), templates: Object.fromEntries(templates) };
    this.team.history = [...(this.team.history ?? []), ...switched.map((name) => ({
      number: 1, eventTime: new Date(this.now()).toISOString(), author: this.me.id,
      what: name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase()) + (changed[name] ? "_on" : "_off"),
    }))];
    return { team: this.team };
  },
  setPolicy({ policy, updateMask }) {
    admins(this);
    for (const [i, step] of (policy.steps ?? []).entries()) {
      if (!step.recipients?.length) throw new Refusal(400, "INVALID_ARGUMENT", "1 to 50: assignee, managers, admins, a member", `policy.steps[${i}].recipients`, "OUT_OF_RANGE");
    }
    this.team.policy = masked(updateMask ? this.team.policy : {}, policy, updateMask);
    return { policy: this.team.policy };
  },
  addMember({ member }) {
    admins(this);
    checkName(member.name, "member.name");
    if (this.team.members.some((m) => m.email === member.email)) throw new Refusal(409, "ALREADY_EXISTS", "a member has this address already", "member.email");
    const made = { ...member, id: `mb07new${String(this.team.members.length).padStart(9, "0")}` };
    this.team.members = [...this.team.members, made];
    return { member: made };
  },
  updateMember({ member, updateMask }) {
    if (member.id !== this.me.id) admins(this);
    if (!updateMask || updateMask.includes("name")) checkName(member.name, "member.name");
    this.team.members = this.team.members.map((m) => (m.id === member.id ? masked(m, member, updateMask) : m));
    return { member: this.team.members.find((m) => m.id === member.id) };
  },
  removeMember({ memberId }) {
    admins(this);
    this.team.members = this.team.members.map((m) => (m.id === memberId ? { ...m, inactive: true } : m));
    return { member: this.team.members.find((m) => m.id === memberId), handedOver: 3 };
  },
  listTokens(asked) {
    admins(this);
    const [tokens, nextPageToken] = page(this.tokens, asked);
    return { tokens, nextPageToken };
  },
  createToken({ memberId, role, label, expireTime }) {
    admins(this);
    if (!memberId && !role) throw new Refusal(400, "INVALID_ARGUMENT", "name a member, or the role intake", "role");
    const token = { id: `tk07${String(this.tokens.length).padStart(14, "0")}`, memberId, role, label, expireTime, createTime: new Date(this.now()).toISOString() };
    this.tokens.push(token);
    return { token, secret: "rb07_5h3k9x2m4q8w1t6v0z7y" };
  },
  revokeToken({ id }) {
    admins(this);
    const token = this.tokens.find((t) => t.id === id);
    token.revoked = true;
    return { token };
  },
  createSignIn() {
    admins(this);
    return { link: `${this.url}/sign-in/k7h3k9x2m4q8w1`, code: "402913", expireTime: new Date(this.now() + 15 * 60000).toISOString() };
  },
  revokeSessions({ memberId }) {
    if (memberId !== this.me.id) admins(this);
    return { revoked: 2 };
  },
};
