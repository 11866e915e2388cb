// A real OpenID provider on loopback: whoever types a mail address is that person. Takes its port, ringback's address and the
// client's secret, prints a line once it listens. Of addresses that begin with "unverified" it says that nobody has looked.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.RINGBACK_OPENID, "package.json"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
const [port, site, secret] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "ringback", client_secret: secret, redirect_uris: [`${site}/oidc`], post_logout_redirect_uris: [`${site}/`] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unverified") }) }),
  // Apache's module sends none with a client that has a secret.
  pkce: { required: () => false },
  cookies: { keys: [secret] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
