/* Render a template in which a row stands under a name that the request chose. Input: the name.
 *
 * The flaw is reached when rendering calls `privileged`, which the template does not.
 */
"use strict";

const _ = require("underscore");

const calls = [];
exports.calls = calls;
// Reached by its name from anywhere, and by nothing but code that the input brings.
globalThis.privileged = (...values) => calls.push(values.length);

exports.oneInput = (data) => {
  calls.length = 0;
  _.template("<p>a row</p>", { variable: data.toString("utf8") })();
  return calls.length > 0;
};
