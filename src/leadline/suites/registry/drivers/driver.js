/* Run one input through the harness beside this file and report what it did.
 *
 * Usage: driver.js INPUT REPORT KIND LIMIT. KIND `canary`: if the harness says that the input reached
 * what it must not reach, the token of this run is written to REPORT/canary. KIND `cpu`: the processor
 * time of the run, in milliseconds, goes to REPORT/cpu; the run ends at LIMIT. Each writes to REPORT/ended
 * that the harness returned, or which error refused the input; it is absent where the release did not
 * load. The exit status means nothing.
 *
 * A harness exports `oneInput(data)`, which answers true or false, now or by a promise, and may export
 * `calls`, an array that is not empty once something privileged was called.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { once } = require("node:events");
const { Worker } = require("node:worker_threads");

// What every object is made from. An input that adds to one of these changes the whole program.
const SHARED = [
  Object, Function, Array, String, Number, Boolean, Symbol, BigInt, Date, RegExp, Error, Map, Set, Promise, Buffer,
].flatMap((one) => [one, one.prototype]);
const { ownKeys, getOwnPropertyDescriptor } = Reflect;

function snapshot() {
  return SHARED.map((one) => new Map(ownKeys(one).map((key) => [key, getOwnPropertyDescriptor(one, key).value])));
}

const BEFORE = snapshot();

/* Whether a property of what every object is made from was added, removed or replaced. */
function polluted() {
  const now = snapshot();
  return BEFORE.some((old, place) => {
    const fresh = now[place];
    return fresh.size !== old.size || [...fresh].some(([key, value]) => !old.has(key) || !Object.is(old.get(key), value));
  });
}

/* Run `work` and answer whether it left a trace on all objects, even if it failed afterwards. */
async function pollution(work) {
  try {
    await work();
  } catch {
    // What the library refuses is ordinary; what it did before counts.
  }
  return polluted();
}

/* Ends the process once a run has used more processor time than `limit` milliseconds.
 *
 * A thread of its own looks every 20 ms, since a regular expression that does not end leaves the main
 * thread no time. Then it writes the milliseconds to `report`, the current input to `keep` where that is
 * given, and kills the process. Processor time does not count what other programs take.
 */
class CpuWatch {
  constructor(limit, { report = "", keep = "", inputBytesMax = 0 } = {}) {
    this.start = new Float64Array(new SharedArrayBuffer(8));
    this.length = new Int32Array(new SharedArrayBuffer(4));
    this.input = new Uint8Array(new SharedArrayBuffer(inputBytesMax));
    const workerData = { limit, report, keep, start: this.start, length: this.length, input: this.input };
    this.worker = new Worker(`(${watching})()`, { eval: true, workerData });
    this.worker.unref();
  }

  async ready() {
    await once(this.worker, "message");
  }

  begin(data) {
    if (this.input.length > 0) {
      this.input.set(data);
      this.length[0] = data.length;
    }
    this.start[0] = used();
  }

  end() {
    const spent = used() - this.start[0];
    this.start[0] = 0;
    return spent;
  }
}

function used() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function watching() {
  const { parentPort, workerData } = require("node:worker_threads");
  const { writeFileSync } = require("node:fs");
  const { limit, report, keep, start, length, input } = workerData;
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    const spent = (user + system) / 1000 - start[0];
    if (start[0] === 0 || spent <= limit) return;
    if (keep) writeFileSync(keep, input.slice(0, length[0]));
    if (report) writeFileSync(report, String(Math.ceil(spent)));
    process.kill(process.pid, "SIGKILL");
  }, 20);
  parentPort.postMessage("ready");
}

async function main(source, report, kind, limit) {
  const token = process.env.LEADLINE_CANARY ?? "";
  delete process.env.LEADLINE_CANARY;
  const harness = require("./harness.js");
  const data = fs.readFileSync(source);
  const watch = kind === "cpu" ? new CpuWatch(Number(limit), { report: path.join(report, "cpu") }) : null;
  await watch?.ready();
  // The first call compiles the code; the bound on the fixed release leaves no room for that.
  if (watch) await Promise.resolve(Buffer.alloc(0)).then(harness.oneInput).catch(() => false);
  let fired = false;
  let ended = "refused";
  // A call that must not happen counts even if the library fails right after it, or takes the process down.
  process.on("exit", () => {
    if (watch) fs.writeFileSync(path.join(report, "cpu"), String(Math.ceil(watch.end())));
    if (kind === "canary" && (fired || (harness.calls ?? []).length > 0)) {
      fs.writeFileSync(path.join(report, "canary"), token);
    }
    fs.writeFileSync(path.join(report, "ended"), ended);
  });
  watch?.begin(data);
  try {
    fired = (await harness.oneInput(data)) === true;
    ended = "returned";
  } catch (error) {
    ended = `refused ${String(error?.name).replace(/[^A-Za-z]/g, "")}`;
  }
  process.exit(0);
}

module.exports = { CpuWatch, pollution };

if (require.main === module) main(...process.argv.slice(2, 6));
