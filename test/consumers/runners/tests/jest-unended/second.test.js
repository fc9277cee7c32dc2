// Runs in the same process while what the first test has tracked is sent.
test('something takes a while', () => new Promise((resolve) => setTimeout(resolve, 2_000)))
