// Puts buttons to copy, print and download below a list of backup codes. Without this script the codes can be selected.
(function () {
  "use strict";

  function dress(list) {
    var row = document.createElement("div");
    row.className = "codes__tools";
    var said = document.createElement("span");
    said.className = "field__hint";
    said.setAttribute("role", "status");

    function text() {
      return Array.from(list.querySelectorAll("code"), function (code) { return code.textContent + "\n"; }).join("");
    }

    function button(label, act) {
      var made = document.createElement("button");
      made.type = "button";
      made.className = "button button--secondary button--small";
      made.textContent = label;
      made.addEventListener("click", act);
      row.append(made);
    }

    button("Copy", function () {
      navigator.clipboard.writeText(text()).then(
        function () { said.textContent = "Copied."; },
        function () { said.textContent = "Your browser does not let this page copy. Select the codes instead."; }
      );
    });
    button("Print", function () { window.print(); });
    button("Download", function () {
      var link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text()], { type: "text/plain" }));
      link.download = "backup-codes.txt";
      link.click();
      URL.revokeObjectURL(link.href);
    });
    row.append(said);
    list.after(row);
  }

  document.querySelectorAll("ol.codes").forEach(dress);
})();
