/** Global endpoints are signed for all regions at once (SigV4A), for which the SDK wants a package that registers itself. */

import { MilepostError } from "../../errors.ts";

/** Any of these will do; the first is written in JavaScript. */
const SIGNERS: readonly string[] = ["@aws-sdk/signature-v4a", "@aws-sdk/signature-v4-crt"];

/** @throws MISSING_PACKAGE naming what to install. */
export async function loadSigner(): Promise<void> {
  for (const name of SIGNERS) {
    try {
      await import(name);
      return;
    } catch {
      // The next one, then.
    }
  }
  throw new MilepostError(
    "MISSING_PACKAGE",
    `a global endpoint (endpointId) needs the package ${SIGNERS.join(" or ")}: npm install ${SIGNERS[0]}`,
    { context: { packages: SIGNERS } },
  );
}
