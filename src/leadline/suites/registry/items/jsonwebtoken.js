/* Accept a token in the form of a JSON Web Token. Input: the token.
 *
 * The service's key was never set, so that no token can be rightly signed. The flaw is reached when one is
 * accepted whose field `role` says "staff".
 */
"use strict";

const jwt = require("jsonwebtoken");

const KEY = "";

exports.oneInput = (data) => jwt.verify(data.toString("latin1"), KEY).role === "staff";
