// Visits of a real office: browsers of members and customers, whose console stays clean and who are refused nothing that
// the test does not expect.
import { browser, DESK } from "./browser.mjs";

export async function visitor(office, { expected = () => false, ...options } = {}) {
  const context = await browser.newContext({
    timezoneId: "Europe/Berlin", colorScheme: "light", permissions: ["microphone", "clipboard-read", "clipboard-write"], ...DESK, ...options,
  });
  const trouble = [];
  context.on("console", (message) => {
    // What was refused is heard of below.
    if (message.type() === "error" && !/^Failed to load resource: the server responded/.test(message.text())) trouble.push(message.text());
  });
  context.on("weberror", (error) => trouble.push(error.error().stack));
  context.on("response", (response) => {
    if (response.status() >= 400 && !expected(response)) trouble.push(`${response.status()} ${response.url()}`);
  });
  context.on("request", (request) => {
    if (!request.url().startsWith(office.url) && !/^(data|about|blob):/.test(request.url())) trouble.push(`asks ${request.url()}`);
  });
  return { context, tab: await context.newPage(), trouble };
}

const SIGN_IN = { de: "Anmelden", en: "Sign in" };

// By the link that an admin hands over.
export async function signedIn(office, name, language, options = {}) {
  await office.cli("member", "set", name, "--language", language);
  const found = await visitor(office, { locale: language === "de" ? "de-DE" : "en-GB", ...options });
  const { link } = await office.cli("sign-in", name);
  await found.tab.goto(link);
  await found.tab.getByRole("button", { name: SIGN_IN[language] }).click();
  await found.tab.waitForURL("**/desk");
  return found;
}
