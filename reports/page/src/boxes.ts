// Places for names in a picture: none lies on another.

type Box = [left: number, top: number, right: number, bottom: number];

export class Boxes {
  private readonly taken: Box[] = [];

  /** Takes the place if it is free. */
  take(left: number, top: number, right: number, bottom: number): boolean {
    const free = !this.taken.some(
      (b) => b[0] < right && b[2] > left && b[1] < bottom && b[3] > top,
    );
    if (free) this.taken.push([left, top, right, bottom]);
    return free;
  }

  /** Takes it whatever is there. */
  block(left: number, top: number, right: number, bottom: number): void {
    this.taken.push([left, top, right, bottom]);
  }
}
