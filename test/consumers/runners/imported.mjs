// The package as a test that imports gets it.
export { default as express } from 'express'
export { createTracking } from 'reqtrack'
export { expressTracking } from 'reqtrack/express'
export { createSegmentServer, recordTracking, trackingMatchers } from 'reqtrack/testing'
