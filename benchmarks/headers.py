"""What a browser sends with each request, beside Host and Cookie: taken from Chromium 156 on a page of the demo."""

CHROMIUM = (
    "Connection: keep-alive",
    'sec-ch-ua-platform: "Linux"',
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Accept: text/event-stream",
    'sec-ch-ua: "Chromium";v="156", "Not)A;Brand";v="8"',
    "Carillon-Language: en",
    "sec-ch-ua-mobile: ?0",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Dest: empty",
    "Referer: http://127.0.0.1/orders/42/",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
)
