document.title += " with three balls";
