// For development only: how the stand-in service says no.

/** An error in the one form of the service. */
export class Refused extends Error {
  constructor(status, code, message, hint = null, problems) {
    super(message);
    Object.assign(this, { status, code, hint, problems });
  }
}
