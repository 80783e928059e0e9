// What a page holds until the client has acknowledged it: bounded in events and in bytes. What finds no room is counted, never
// forgotten silently.

import type { PageEvent } from "./messages";

/** Events that are held at most. */
export const EVENTS_MAX = 1_024;

/** Characters of them, as JSON, at most. */
const CHARACTERS_MAX = 524_288;

export class Ring {
  private readonly held = new Map<number, { event: PageEvent; characters: number }>();
  private characters = 0;

  /** Holds an event; false if there is no room. */
  push(event: PageEvent): boolean {
    const characters = JSON.stringify(event).length;
    if (this.held.size >= EVENTS_MAX || this.characters + characters > CHARACTERS_MAX) return false;
    this.held.set(event.seq, { event, characters });
    this.characters += characters;
    return true;
  }

  /** Lets go of what was acknowledged. */
  acknowledge(seqs: number[]): void {
    for (const seq of seqs) {
      this.characters -= this.held.get(seq)?.characters ?? 0;
      this.held.delete(seq);
    }
  }

  /** What is held, oldest first. */
  events(): PageEvent[] {
    return [...this.held.values()].map((each) => each.event);
  }

  /** Lets go of everything; gives how much it was. */
  empty(): number {
    const count = this.held.size;
    this.held.clear();
    this.characters = 0;
    return count;
  }
}

/** A name that nobody else has: 32 hexadecimal digits. Pages without encryption have no `randomUUID`. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
