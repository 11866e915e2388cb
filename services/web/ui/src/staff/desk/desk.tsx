// The desk page.
import { Loading } from "../shell/parts";

export function Desk() {
  return <Loading />;
}
