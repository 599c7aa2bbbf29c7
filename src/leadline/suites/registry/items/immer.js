/* Apply changes sent as JSON to a document. Input: a JSON list of changes, each with `op`, `path` (a list) and `value`.
 *
 * The flaw is reached when the input changes what every object is made from: a property of Object, of
 * Function or of another shared constructor or prototype is added or replaced.
 */
"use strict";

const { applyPatches, enablePatches } = require("immer");
const { pollution } = require("./driver.js");

enablePatches();

exports.oneInput = (data) => pollution(() => applyPatches({ title: "pump", tags: ["a"] }, JSON.parse(data.toString("utf8"))));
