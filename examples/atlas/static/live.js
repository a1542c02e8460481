// Tells the page, as the event "more", that there is more to show, for as long as it is open.
function listen(path) {
  const socket = new WebSocket(location.origin.replace("http", "ws") + path);
  let known = false;
  socket.onopen = () => { known = true; };
  socket.onmessage = (event) => document.body.dispatchEvent(new Event(event.data));
  // A server that is replaced says good-bye. What happened meanwhile is asked for.
  socket.onclose = () => setTimeout(() => {
    if (known) document.body.dispatchEvent(new Event("more"));
    listen(path);
  }, known ? 1000 : 30000);
}

listen(document.querySelector("[data-live]").dataset.live);
