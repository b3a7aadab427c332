/**
 * Makes a tunnel that is cut look cut, here and at its other end. Node ends a stream that is destroyed by an ordinary end, with
 * NO_ERROR, and lets the reader of a stream that was reset see an ordinary end, too: a part would pass for the whole.
 *
 * @see RFC 9113 §8.5 — a connection error behind a tunnel is a stream error of type CONNECT_ERROR
 */
import { constants, type Http2Stream } from 'node:http2'

/** Destroyed before both ways have ended, the stream is reset; reset by the other end, it fails. Hears its errors. */
export function tellCuts(stream: Http2Stream): void {
  const destroy = stream.destroy.bind(stream)
  let isCutHere = false
  stream.destroy = (error?: Error) => {
    if (!stream.closed && !stream.destroyed) {
      isCutHere = true
      // Closing ends the writer first, which would send END_STREAM before the reset.
      stream._final = (done) => done()
      stream.close(constants.NGHTTP2_CONNECT_ERROR)
    }
    return destroy(error)
  }
  stream.on('aborted', () => {
    // NO_ERROR: it does not want to hear more, and has said everything.
    if (isCutHere || stream.rstCode === constants.NGHTTP2_NO_ERROR) return
    destroy(new Error(`the tunnel was reset with code ${stream.rstCode}`))
  })
  stream.on('error', () => {}) // what follows from it is done on close
}
