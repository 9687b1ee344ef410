// SPDX-License-Identifier: MIT
// Writes fitted constants into the catalog and into physics.h:
//   node tests/fit/apply.mjs CONSTANTS.json
// The file is what `envelope_fit TABLE.csv --constants CONSTANTS.json` wrote. A row of the catalog
// gets its constants and, as "fit", where they come from.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const constants = JSON.parse(readFileSync(process.argv[2], "utf8"));
const path = (name) => fileURLToPath(new URL(`../../core/${name}`, import.meta.url));

// One row a line, as the catalog has it.
const line = (value) =>
  value === null || typeof value !== "object"
    ? JSON.stringify(value)
    : Array.isArray(value)
      ? `[${value.map(line).join(", ")}]`
      : `{${Object.entries(value)
          .map(([key, each]) => `${JSON.stringify(key)}: ${line(each)}`)
          .join(", ")}}`;

for (const [table, file] of [
  ["accelerators", "catalog/accelerators.json"],
  ["stacks", "catalog/stacks.json"],
]) {
  const text = readFileSync(path(file), "utf8").replace(/^(\{"id".*?)(,?)$/gm, (_, json, comma) => {
    const row = JSON.parse(json);
    const { fit, ...set } = constants[table][row.id] ?? {};
    if (!fit) return json + comma;
    const { set: old, ...head } = row;
    return line({ ...head, fit, set: { ...old, ...set } }) + comma;
  });
  writeFileSync(path(file), text);
}

let header = readFileSync(path("envelope/physics.h"), "utf8");
for (const [name, value] of Object.entries(constants.physics)) {
  const pattern = new RegExp(`(\\b${name} =\\s+)[-+.e0-9]+`);
  if (!pattern.test(header)) throw new Error(`physics.h has no constant ${name}`);
  header = header.replace(pattern, `$1${value}`);
}
writeFileSync(path("envelope/physics.h"), header);
