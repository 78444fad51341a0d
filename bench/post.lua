-- wrk script: POST the article's body.
wrk.method = "POST"
wrk.body = "John Doe"
wrk.headers["Content-Type"] = "text/plain; charset=utf-8"
