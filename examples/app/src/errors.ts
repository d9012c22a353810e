import createError from '@fastify/error'

/** Environment variables are missing, malformed or out of their bounds; the message names each, and shows no secret. */
export const FST_RSP_APP_ENVIRONMENT = createError<[string]>(
  'FST_RSP_APP_ENVIRONMENT', '%s', 500)

/** A file of secrets in the data folder does not hold what was written there. */
export const FST_RSP_APP_SECRET_FILE = createError<[string]>(
  'FST_RSP_APP_SECRET_FILE', "the secret in '%s' is damaged: delete the file to have a new one made", 500)

/** The database did not answer at boot. */
export const FST_RSP_APP_DATABASE = createError<[string, string]>(
  'FST_RSP_APP_DATABASE', 'the database (%s) cannot be used: %s', 500)

/** A statement failed: the database has gone, or refuses us; `cause` holds what it said. */
export const FST_RSP_APP_DATABASE_DOWN = createError(
  'FST_RSP_APP_DATABASE_DOWN', 'the database cannot be used at the moment', 503)

/** The weather service could not be reached, or answered with something else than the weather. */
export const FST_RSP_APP_WEATHER_UNREACHABLE = createError<[string]>(
  'FST_RSP_APP_WEATHER_UNREACHABLE', 'the weather service could not be reached: %s', 502)

/** The pages for the browser have not been bundled. */
export const FST_RSP_APP_PAGES = createError<[string]>(
  'FST_RSP_APP_PAGES', "there are no built pages in '%s': run `npm run build`", 500)

/** Something broke inside; the log has the cause. */
export const FST_RSP_APP_INTERNAL = createError(
  'FST_RSP_APP_INTERNAL', 'something went wrong here', 500)

/** No Redis can be started for the pair. */
export const FST_RSP_APP_NO_REDIS = createError(
  'FST_RSP_APP_NO_REDIS', 'start:pair needs redis-server or valkey-server on PATH, or REDIS_URL', 500)

/** A part of the pair ended before it served. */
export const FST_RSP_APP_PART_ENDED = createError<[string, string]>(
  'FST_RSP_APP_PART_ENDED', '%s ended at start (%s)', 500)
