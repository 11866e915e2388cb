// API access: who has it, a new one whose secret is shown once, and its end.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CreateTokenRequestJson, TokenJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { Dialog, Empty, Failed, Loading, Tag } from "../shell/parts";
import { isAdmin, memberName, team } from "../shell/session";
import { fromLocalInput, iso, ms, nowMs, when } from "../shell/time";
import { toast } from "../shell/toasts";
import { active } from "../team/members";
import { Copied } from "./copied";
import { Choice, FormBox, Sure, Text, useForm } from "./form";
import { teamSettingsWords } from "./team_settings_words";

export function Tokens() {
  const w = teamSettingsWords();
  const tokens = useSignal<TokenJson[] | null>(null);
  const error = useSignal<unknown>(null);
  const adding = useSignal(false);
  const revoking = useSignal<TokenJson | null>(null);
  const load = async (): Promise<void> => {
    error.value = null;
    try {
      const all: TokenJson[] = [];
      let pageToken = "";
      do {
        const page = await call("TeamService", "listTokens", { pageSize: 500, pageToken });
        all.push(...(page.tokens ?? []));
        pageToken = page.nextPageToken ?? "";
      } while (pageToken);
      tokens.value = all.sort((a, b) => Number(!!a.revoked) - Number(!!b.revoked) || ms(b.createTime) - ms(a.createTime));
    } catch (failed) {
      error.value = failed;
    }
  };
  useEffect(() => void (isAdmin() && load()), []);
  if (!isAdmin()) return <div class="card"><Empty title={w.forAdmins} /></div>;
  if (error.value) return <Failed error={error.value} retry={() => void load()} />;
  if (!tokens.value) return <Loading />;
  const revoke = async (token: TokenJson): Promise<void> => {
    await call("TeamService", "revokeToken", { requestId: newRequestId(), id: token.id });
    toast(w.revokedToast(token.label ?? ""));
    await load();
  };
  return (
    <section class="card">
      <div class="spread">
        <h2>{w.tokens}</h2>
        <button type="button" class="button main" onClick={() => (adding.value = true)}>{w.newToken}</button>
      </div>
      <p class="soft">{w.tokensText}</p>
      {tokens.value.length === 0 && <Empty title={w.tokensNone} />}
      <ul class="bare tokens">
        {tokens.value.map((t) => {
          const ended = !!t.expireTime && ms(t.expireTime) <= nowMs();
          return (
            <li key={t.id} class={t.revoked || ended ? "gone" : ""}>
              <div>
                <strong>{t.label || t.id}</strong>
                <p class="soft small">{t.memberId ? w.asMember(memberName(t.memberId)) : w.intake} · {w.since(when(t.createTime))}{t.expireTime && ` · ${w.until(when(t.expireTime))}`}</p>
              </div>
              {t.revoked ? <Tag>{w.revoked}</Tag> : ended ? <Tag>{w.expired}</Tag>
                : <button type="button" class="button stop" onClick={() => (revoking.value = t)}>{w.revoke}<span class="unseen">: {t.label}</span></button>}
            </li>
          );
        })}
      </ul>
      {adding.value && <Add done={load} onClose={() => (adding.value = false)} />}
      {revoking.value && (
        <Sure title={w.revokeSure(revoking.value.label ?? "")} label={w.revoke} act={() => revoke(revoking.value!)} onClose={() => (revoking.value = null)}>
          <p>{w.revokeText}</p>
        </Sure>
      )}
    </section>
  );
}

function Add({ done, onClose }: { done: () => Promise<void>; onClose: () => void }) {
  const w = teamSettingsWords();
  const secret = useSignal("");
  const form = useForm({ label: "", whose: "", expire: "" }, async ({ label, whose, expire }) => {
    const request: CreateTokenRequestJson = {
      requestId: newRequestId(), label, ...(whose ? { memberId: whose } : { role: "ROLE_INTAKE" }), ...(expire && { expireTime: iso(fromLocalInput(expire)) }),
    };
    secret.value = (await call("TeamService", "createToken", request)).secret ?? "";
    await done();
  }, { undo: false });
  const { value } = form;
  if (secret.value) {
    return (
      <Dialog title={w.secretTitle} onClose={onClose}>
        <p>{w.secretText}</p>
        <Copied label={w.secret} text={secret.value} />
        <div class="actions form-end"><button type="button" class="button main" onClick={onClose}>{w.done}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={w.newToken} onClose={onClose}>
      <FormBox form={form} label={w.create}>
        <Text label={w.label} hint={w.labelHint} field="label" value={value.label} set={(label) => form.set({ label })} />
        <Choice
          label={w.whose} field="role" value={value.whose} set={(whose) => form.set({ whose })}
          options={[["", w.intake] as const, ...active(team.value?.members).map((m) => [m.id ?? "", w.asMember(m.name ?? "")] as const)]}
        />
        <Text label={w.expire} hint={w.expireHint} field="expire_time" type="datetime-local" value={value.expire} set={(expire) => form.set({ expire })} />
      </FormBox>
    </Dialog>
  );
}
