/* Store a preference under a path. Input: a JSON text with the fields `path` and `value`.
 *
 * The flaw is reached when the input changes what every object is made from: a property of Object, of
 * Function or of another shared constructor or prototype is added or replaced.
 */
"use strict";

const { dset } = require("dset");
const { pollution } = require("./driver.js");

function store(data) {
  const { path, value } = JSON.parse(data.toString("utf8"));
  dset({}, path, value);
}

exports.oneInput = (data) => pollution(() => store(data));
