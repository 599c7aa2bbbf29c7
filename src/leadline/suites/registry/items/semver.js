/* Read a range of versions. Input: the range.
 *
 * The flaw is reached when this uses far more processor time than the length of the input explains; what
 * it answers does not matter.
 */
"use strict";

const semver = require("semver");

exports.oneInput = (data) => {
  semver.validRange(data.toString("utf8"));
  return false;
};
