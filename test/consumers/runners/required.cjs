// The package as a test that requires gets it.
module.exports = {
  ...require('reqtrack'),
  ...require('reqtrack/express'),
  ...require('reqtrack/testing'),
  express: require('express'),
}
