/* Quote an argument of a command. Input: the argument.
 *
 * The flaw is reached when this uses far more processor time than the length of the input explains; what
 * it answers does not matter.
 */
"use strict";

const escape = require("cross-spawn/lib/util/escape");

exports.oneInput = (data) => {
  escape.argument(data.toString("utf8"), false);
  return false;
};
