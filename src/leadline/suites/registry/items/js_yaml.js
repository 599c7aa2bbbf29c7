/* Read a configuration file in YAML. Input: its text.
 *
 * A file may define functions; none of them may run while the file is read. The flaw is reached when one
 * of them calls `privileged` then.
 */
"use strict";

const yaml = require("js-yaml");

const calls = [];
exports.calls = calls;
// Reached by its name from anywhere, and by nothing but code that the input brings.
globalThis.privileged = (...values) => calls.push(values.length);

exports.oneInput = (data) => {
  calls.length = 0;
  yaml.load(data.toString("utf8"));
  return calls.length > 0;
};
