// Writes src/wire/* from docs/openapi.yaml and docs/asyncapi.yaml. With
// --check it writes nothing, and fails when what stands there is stale.
import { readFile, writeFile } from "node:fs/promises";
import openapi, { astToString } from "openapi-typescript";
import { parse } from "yaml";
import { interfaces } from "./schemas.mjs";

const docs = new URL("../../../docs/", import.meta.url);
const wire = new URL("../src/wire/", import.meta.url);

const files = {
  "openapi.ts": async () => {
    const ast = await openapi(new URL("openapi.yaml", docs), { defaultNonNullable: false });
    return `// Generated from docs/openapi.yaml by npm run generate.\n\n${astToString(ast)}`;
  },
  "asyncapi.ts": async () => {
    const { components } = parse(await readFile(new URL("asyncapi.yaml", docs), "utf8"));
    return `// Generated from docs/asyncapi.yaml by npm run generate.\n\n${interfaces(components.schemas)}`;
  },
};

for (const [name, generate] of Object.entries(files)) {
  const file = new URL(name, wire);
  const text = await generate();
  if (!process.argv.includes("--check")) {
    await writeFile(file, text);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    console.error(`src/wire/${name} is stale: npm run generate -w sdk`);
    process.exitCode = 1;
  }
}
