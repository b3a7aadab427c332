/**
 * What a pod of a test does in its network namespace: a workload that answers, and callers of all kinds. Callers are named by
 * their namespace, whom they call by address; none of them knows of proxies.
 */
import { runIn, startIn } from '../../processes/netns.ts'

export const HTTP_PORT = 8080
/** Answers as well, where policy lets somebody come so far. */
export const CLOSED_PORT = 8081
export const ECHO_PORT = 9000

/** Tells its caller whom it was told of; at the other port, gives back what it hears. */
export const backend = `
const { createServer } = require('node:http')
const answer = (asked, response) => {
  response.end(JSON.stringify({ caller: asked.headers['x-forwarded-client-cert'] ?? '' }))
}
const echo = require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {}).pipe(socket)
})
for (const port of [${HTTP_PORT}, ${CLOSED_PORT}]) createServer(answer).listen({ host: '::', port })
echo.listen({ host: '::', port: ${ECHO_PORT} }, () => console.log('ready'))`

/** @returns the status, 0 when there was no answer, and what came */
export async function call(from: string, to: string, port: number) {
  const asked = ['curl', '-s', '--max-time', '20', '-w', '\\n%{http_code}']
  const { stdout } = await runIn(from, [...asked, `http://${to}:${port}/`])
  const [status = '', body = ''] = stdout.split('\n').reverse()
  return { status: Number(status), body }
}

/** Says a mebibyte and ends its way, then hears the other. @returns bytes heard */
export async function speakThenHear(from: string, to: string) {
  const script = `
    const socket = require('node:net').connect({ host: '${to}', port: ${ECHO_PORT}, allowHalfOpen: true })
    let heard = 0
    socket.on('data', (chunk) => { heard += chunk.length }).on('error', () => {})
    socket.on('close', () => console.log(heard))
    socket.end(Buffer.alloc(1024 * 1024, 'x'))`
  const { stdout } = await runIn(from, [process.execPath, '-e', script])
  return Number(stdout)
}

/** Opens connections and keeps each until all were heard. @returns how many were */
export async function speakAtOnce(from: string, to: string, count: number) {
  const script = `
    let heard = 0, ended = 0
    const sockets = Array.from({ length: ${count} }, () => {
      const socket = require('node:net').connect({ host: '${to}', port: ${ECHO_PORT} })
      socket.once('data', () => {
        heard += 1
        if (heard === ${count}) for (const one of sockets) one.end()
      })
      socket.on('error', () => {}).on('close', () => {
        ended += 1
        if (ended === ${count}) console.log(heard)
      })
      socket.write('word')
      return socket
    })`
  const { stdout } = await runIn(from, [process.execPath, '-e', script])
  return Number(stdout)
}

/** A connection that was heard and stays; prints `closed` when it is closed. */
export async function hold(from: string, to: string) {
  const script = `
    const socket = require('node:net').connect({ host: '${to}', port: ${ECHO_PORT} })
    socket.once('data', () => console.log('heard')).on('error', () => {})
    socket.on('close', () => console.log('closed'))
    socket.write('held\\n')`
  const held = startIn(from, [process.execPath, '-e', script])
  await held.line(/^heard$/)
  return held
}

/** Calls without pause, each by a connection of its own. @returns stops it, and tells what became of the calls */
export async function callOn(from: string, to: string) {
  const script = `
    const { get } = require('node:http')
    const told = { passed: 0, failed: [] }
    let isOn = true
    process.on('SIGTERM', () => { isOn = false })
    const next = () => {
      if (!isOn) return console.log(JSON.stringify(told))
      const asked = get({ host: '${to}', port: ${HTTP_PORT}, agent: false }, (response) => {
        if (response.statusCode === 200) told.passed += 1
        else told.failed.push(response.statusCode)
        if (told.passed === 1) console.log('calling')
        response.resume().on('end', next)
      })
      asked.on('error', (error) => { told.failed.push(error.message); next() })
    }
    next()`
  const running = startIn(from, [process.execPath, '-e', script])
  await running.line(/^calling$/)
  return async () => {
    running.kill('SIGTERM')
    const [told] = await running.line(/^\{.*\}$/)
    return JSON.parse(told)
  }
}
