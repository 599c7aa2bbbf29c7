/* Match the path of a request against a route. Input: the path.
 *
 * The flaw is reached when this uses far more processor time than the length of the input explains; what
 * it answers does not matter.
 */
"use strict";

const pathToRegexp = require("path-to-regexp");

const route = pathToRegexp("/:from-:to");

exports.oneInput = (data) => {
  route.exec(data.toString("utf8"));
  return false;
};
