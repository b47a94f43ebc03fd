import { appendFileSync } from "node:fs";

/** Notes a measured figure, in the file that REPORT names. */
export function report(line: string): void {
  if (process.env.REPORT) appendFileSync(process.env.REPORT, line + "\n");
}
