// Puts a .br and a .gz beside each file of a build that is worth it: the
// gateway sends them as they are and never compresses a request's answer.
//
//   node scripts/compress.mjs DIR
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

// Smaller ones fit into one packet in any case.
const leastBytes = 512;
// Images and fonts are compressed already.
const kinds = new Set([".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"]);

const forms = {
  ".br": (body) =>
    brotliCompressSync(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  ".gz": (body) => gzipSync(body, { level: 9 }),
};

const [dir] = process.argv.slice(2);
for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !kinds.has(extname(entry.name))) continue;
  const body = readFileSync(path);
  if (body.length < leastBytes) continue;
  for (const [suffix, compress] of Object.entries(forms)) writeFileSync(path + suffix, compress(body));
}
