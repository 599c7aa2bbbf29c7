/* Strip colours from a line of a log. Input: the line.
 *
 * The flaw is reached when this uses far more processor time than the length of the input explains; what
 * it answers does not matter.
 */
"use strict";

const ansiRegex = require("ansi-regex");

exports.oneInput = (data) => {
  data.toString("utf8").replace(ansiRegex(), "");
  return false;
};
