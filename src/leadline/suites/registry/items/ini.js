/* Read a settings file in INI form. Input: its text.
 *
 * The flaw is reached when the input changes what every object is made from: a property of Object, of
 * Function or of another shared constructor or prototype is added or replaced.
 */
"use strict";

const library = require("ini");
const { pollution } = require("./driver.js");

exports.oneInput = (data) => pollution(() => library.parse(data.toString("utf8")));
