// The report page.
import { Loading } from "../shell/parts";

export function Report() {
  return <Loading />;
}
