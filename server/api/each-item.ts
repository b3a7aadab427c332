/** Batch calls: one result per item, in order, whatever becomes of the others. */
import { ITEM_OK, toItemStatus } from '../../proto/status.ts'
import { IdentityError } from '../../spiffe/error.ts'

export interface ItemStatus {
  readonly status: { readonly code: number; readonly message: string }
}

/** A refusal becomes the status of its item; a bug fails the whole call. Stops when the caller is gone. */
export async function eachItem<Item, Result extends object>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item) => Promise<Result>,
): Promise<(ItemStatus & Partial<Result>)[]> {
  const results: (ItemStatus & Partial<Result>)[] = []
  for (const item of items) {
    if (signal.aborted) break
    try {
      results.push({ ...(await work(item)), status: ITEM_OK })
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      // Cast: nothing of a partial result is there.
      results.push({ status: toItemStatus(error) } as ItemStatus & Partial<Result>)
    }
  }
  return results
}
