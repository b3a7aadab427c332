/** Read, change, write: done anew when somebody else wrote in between, a bounded number of times. */
import { statusOf } from './status.ts'

const MAX_ATTEMPTS = 5

/** @param work reads the object itself, so that each attempt starts from what is there @throws what `work` throws last */
export async function retryOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (statusOf(error) !== 409 || attempt === MAX_ATTEMPTS) throw error
    }
  }
}
