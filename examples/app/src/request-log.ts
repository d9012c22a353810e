import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'

/** A line a request is for those who debug: by default the log tells what changed and what broke. */
export class RequestLog extends LogController {
  override incomingRequest (request: FastifyRequest): void {
    request.log.debug({ req: request }, 'incoming request')
  }

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (error) request.log.error({ res: reply, err: error }, 'request errored')
    else request.log.debug({ res: reply, responseTime: reply.elapsedTime }, 'request completed')
  }

  override defaultErrorLog (error: Error, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.statusCode >= 500) request.log.error({ req: request, res: reply, err: error }, error.message)
    else request.log.debug({ res: reply, err: error }, error.message)
  }

  override routeNotFound (request: FastifyRequest): void {
    request.log.debug({ req: request }, 'route not found')
  }
}
