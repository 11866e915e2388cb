// The settings page.
import { Loading } from "../shell/parts";

export function Settings() {
  return <Loading />;
}
