/** Lists of hooks: functions that a program registers, and can take off again by the handle that it gets. */

/** Takes a hook off again. A second call does nothing. */
export interface HookHandle {
  remove(): void;
}

/** The hooks of one kind, in the order in which they run. */
export class HookList<H> {
  /** An entry for each registration, so that a handle takes off its own where one function is registered twice. */
  private entries: { hook: H }[] = [];

  /** Adds a hook at the end, or with `prepend` before all others. */
  add(hook: H, prepend = false): HookHandle {
    const entry = { hook };
    if (prepend) this.entries.unshift(entry);
    else this.entries.push(entry);
    return {
      remove: () => {
        this.entries = this.entries.filter((e) => e !== entry);
      },
    };
  }
  get empty(): boolean {
    return this.entries.length === 0;
  }
  /** A snapshot: a hook may remove itself while it runs. */
  all(): readonly H[] {
    return this.entries.map((entry) => entry.hook);
  }
  /** Takes off the hooks that fit. */
  removeWhere(fits: (hook: H) => boolean): void {
    this.entries = this.entries.filter((entry) => !fits(entry.hook));
  }
  copyTo(other: HookList<H>): void {
    for (const { hook } of this.entries) other.add(hook);
  }
}
