/* Read a command line with defaults. Input: the arguments, one a line.
 *
 * The flaw is reached when the input changes what every object is made from: a property of Object, of
 * Function or of another shared constructor or prototype is added or replaced.
 */
"use strict";

const library = require("yargs-parser");
const { pollution } = require("./driver.js");

exports.oneInput = (data) => pollution(() => library(data.toString("utf8").split("\n")));
