/* Fuzz the harness beside this file: mutations of the samples, a fixed number of runs, a fixed seed.
 *
 * Takes libFuzzer's options -runs, -seed and -artifact_prefix and prints its count of executed units, so
 * that a caller treats both alike. It is no libFuzzer: nothing tells it what an input covered. It joins
 * and repeats pieces of the samples, words of the package's own source and special characters. What the
 * harness refuses by an exception is ordinary. An input that reaches what it must not reach, or takes more
 * processor time than the task allows, is kept and ends the run.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { CpuWatch } = require("./driver.js");

const WORDS_MAX = 400;
const FILE_BYTES_MAX = 1 << 20;
const LITERAL = /"([^"\\\n]{1,20})"|'([^'\\\n]{1,20})'/g;
const SOURCE = /\.(c|m)?js$/;
const PIECES_MAX = 6;

/* Whole numbers from a seed: mulberry32. */
function numbers(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

function* sources(folder) {
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(place);
    else if (SOURCE.test(entry.name) && fs.statSync(place).size <= FILE_BYTES_MAX) yield place;
  }
}

/* The commonest short string literals of `folders`, the most frequent first. */
function words(folders) {
  const seen = new Map();
  for (const folder of folders) {
    for (const file of sources(folder)) {
      for (const [, double, single] of fs.readFileSync(file, "utf8").matchAll(LITERAL)) {
        const word = double ?? single;
        seen.set(word, (seen.get(word) ?? 0) + 1);
      }
    }
  }
  const ranked = [...seen].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  return ranked.slice(0, WORDS_MAX).map(([word]) => Buffer.from(word));
}

/* One input: up to PIECES_MAX changes to a sample. */
function mutate(samples, dictionary, pick, longest) {
  let data = samples[pick(samples.length)];
  for (let change = pick(PIECES_MAX); change >= 0; change -= 1) {
    const place = pick(data.length + 1);
    const word = dictionary[pick(dictionary.length)];
    const rest = place + pick(data.length - place + 1);
    const changed = [
      () => [data.subarray(0, place), word, data.subarray(place)],
      () => [data.subarray(0, place), word, data.subarray(rest)],
      () => [data.subarray(0, place), data.subarray(rest)],
      () => [data.subarray(0, rest), data.subarray(place, rest), data.subarray(rest)],
      () => [data.subarray(0, place), Buffer.alloc(word.length * (1 << pick(17)), word), data.subarray(place)],
      () => [data.subarray(0, place), Buffer.from([32 + pick(95)]), data.subarray(place + 1)],
    ];
    data = Buffer.concat(changed[pick(changed.length)]()).subarray(0, longest);
  }
  return data;
}

async function main() {
  const options = new Map(process.argv.slice(2).map((one) => one.replace(/^-/, "").split("=")));
  const task = JSON.parse(fs.readFileSync(path.join(__dirname, "task.json"), "utf8"));
  const artifact = `${options.get("artifact_prefix") ?? "/box/crash-"}found`;
  const folder = path.join(__dirname, "samples");
  const samples = fs.readdirSync(folder).sort().map((name) => fs.readFileSync(path.join(folder, name)));
  const dictionary = words(task.instrument.map((name) => path.join(__dirname, "node_modules", name)));
  for (let code = 33; code < 127; code += 1) dictionary.push(Buffer.from([code]));
  dictionary.push(...["\n", "\r\n", " ", "\t", "__proto__", "constructor", "prototype"].map((one) => Buffer.from(one)));
  const harness = require("./harness.js");
  const longest = task.fuzz_bytes_max;
  const watch = task.cpu_ms_max ? new CpuWatch(task.cpu_ms_max, { keep: artifact, inputBytesMax: longest }) : null;
  if (watch) await watch.ready();
  const pick = numbers(Number(options.get("seed") ?? 1));
  const runs = Number(options.get("runs") ?? task.runs);
  let run = 0;
  let found = false;
  process.on("uncaughtException", () => {}); // thrown into the event loop by what an earlier input left open
  for (; run < runs && !found; run += 1) {
    const data = mutate(samples, dictionary, pick, longest);
    watch?.begin(data);
    try {
      found = (await harness.oneInput(data)) === true;
    } catch {
      found = false;
    }
    watch?.end();
    found ||= (harness.calls ?? []).length > 0;
    if (found) fs.writeFileSync(artifact, data);
  }
  process.stderr.write(`stat::number_of_executed_units: ${run}\n`);
  process.exit(0);
}

main();
