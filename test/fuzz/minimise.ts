/** Makes an input that fails as short as it will go while it fails in the same way. */

/** Trials for one input. */
const MAX_TRIALS = 3_000

/** @param fails whether a shorter one still fails in the same way */
export async function minimise(
  input: Buffer,
  fails: (shorter: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let best = input
  let trials = 0
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && trials < MAX_TRIALS; ) {
      trials += 1
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      if (await fails(shorter)) best = shorter
      else at += size
    }
  }
  return best
}
