// The parts of the extension that tests look at by themselves, in one bundle.

export { describe, isSecret } from "../src/element";
export { redacted } from "../src/redact";
export { gateOf } from "../src/rules";
