/* Find the folder that a pattern searches. Input: the pattern.
 *
 * The flaw is reached when this uses far more processor time than the length of the input explains; what
 * it answers does not matter.
 */
"use strict";

const globParent = require("glob-parent");

exports.oneInput = (data) => {
  globParent(data.toString("utf8"));
  return false;
};
