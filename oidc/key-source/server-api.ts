/** Keys from the server's own socket: its bundle, as any administrator may read it. */
import { credentials, type ServiceError } from '@grpc/grpc-js'
import type { Bundle as WireBundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi } from '../../proto/load.ts'
import { fromStatus } from '../../proto/status.ts'
import { fromWireBundle } from '../../proto/wire.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'

const DEADLINE_MS = 10_000
const MAX_MESSAGE_BYTES = 4 << 20

/** @param address `unix:///absolute/path`. @throws IdentityError with the server's reason */
export async function readServerBundle(address: string, clock: Clock): Promise<Bundle> {
  const client = new (bundleApi())(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.use_local_subchannel_pool': 1,
  })
  try {
    const deadline = clock.now().getTime() + DEADLINE_MS
    return await new Promise<Bundle>((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: WireBundle) => {
        if (error !== null) reject(fromStatus(error))
        else if (answer === undefined) reject(new Error('the server answered with nothing'))
        else resolve(fromWireBundle(answer))
      }
      client.GetBundle({}, { deadline }, done)
    })
  } finally {
    client.close()
  }
}
