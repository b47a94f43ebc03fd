import { Parley } from "@parley-im/sdk";

/** The one door to the server. Its gateway is where this page came from. */
export const parley = new Parley({});
