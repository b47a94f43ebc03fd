// JSON schemas, as far as docs/asyncapi.yaml uses them, as TypeScript.

const external = "openapi.yaml#/components/schemas/";
const local = "#/components/schemas/";

/** interfaces has one exported type for each schema. */
export function interfaces(schemas) {
  const types = Object.entries(schemas).map(([name, schema]) => {
    const type = typeOf(schema, "");
    return schema.type === "object" ? `export interface ${name} ${type}` : `export type ${name} = ${type};`;
  });
  return `import type { components } from "./openapi.js";\n\n${types.join("\n\n")}\n`;
}

function typeOf(schema, indent) {
  if (schema.$ref) return reference(schema.$ref);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.oneOf) return schema.oneOf.map((one) => typeOf(one, indent)).join(" | ");
  switch (schema.type) {
    case "object":
      return objectOf(schema, indent);
    case "array":
      return `Array<${typeOf(schema.items, indent)}>`;
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
      return schema.type;
  }
  throw new Error(`a schema that is not understood: ${JSON.stringify(schema)}`);
}

function reference(ref) {
  if (ref.startsWith(external)) return `components["schemas"]["${ref.slice(external.length)}"]`;
  if (ref.startsWith(local)) return ref.slice(local.length);
  throw new Error(`a reference that is not understood: ${ref}`);
}

function objectOf(schema, indent) {
  const required = new Set(schema.required ?? []);
  const inner = indent + "  ";
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, property]) => `${inner}${name}${required.has(name) ? "" : "?"}: ${typeOf(property, inner)};\n`,
  );
  return members.length === 0 ? "Record<string, never>" : `{\n${members.join("")}${indent}}`;
}
