/** Messages of the server's API, made once and sent many times. */
import { entryApi, svidApi } from '../../proto/load.ts'
import { framed } from './raw-calls.ts'

export interface Method {
  readonly path: string
  message(request: object): Buffer
  /** @param answer with its five bytes in front */
  answer(answer: Buffer): unknown
}

const FRAME_BYTES = 5

export const batchNewX509Svid = (): Method => methodOf(svidApi().service.BatchNewX509SVID)
export const newJwtSvid = (): Method => methodOf(svidApi().service.NewJWTSVID)
export const getAuthorizedEntries = (): Method => methodOf(entryApi().service.GetAuthorizedEntries)

interface Definition {
  readonly path: string
  readonly requestSerialize: (request: never) => Buffer
  readonly responseDeserialize: (answer: Buffer) => unknown
}

function methodOf({ path, requestSerialize, responseDeserialize }: Definition): Method {
  return {
    path,
    // Cast: the definition was chosen by name, and so were the fields of the request.
    message: (request) => framed(requestSerialize(request as never)),
    answer: (answer) => responseDeserialize(answer.subarray(FRAME_BYTES)),
  }
}
