-- What is the most frequent travel time of students in rural areas?
-- 1: under 15 minutes, 2: 15 to 30, 3: 30 to 60, 4: over an hour. Of equally frequent ones the shortest.
SELECT traveltime, COUNT(*) AS students
FROM student_data
WHERE address = 'r' AND traveltime IS NOT NULL
GROUP BY traveltime
ORDER BY students DESC, traveltime
LIMIT 1;
