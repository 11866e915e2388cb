// The team page.
import { Loading } from "../shell/parts";

export function Team() {
  return <Loading />;
}
