// Validates an AsyncAPI document; exit code 1 with what is wrong. Usage: node tools/asyncapi.mjs <file>
import { readFile } from "node:fs/promises";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const text = await readFile(process.argv[2], "utf8");
const { diagnostics } = await new Parser().parse(text);
const wrong = diagnostics.filter((d) => d.severity <= DiagnosticSeverity.Warning);
for (const d of wrong) {
  console.error(`${process.argv[2]}: ${d.path.join(".")}: ${d.message} (${d.code})`);
}
process.exit(wrong.length > 0 ? 1 : 0);
